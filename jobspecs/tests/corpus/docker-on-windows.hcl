job "iis" {
  constraint {
    attribute = "${attr.kernel.name}"
    operator  = "=="
    value     = "windows"
  }

  group "iis" {
    network {
      port "http" {
        to = 80
      }
    }

    task "iis" {
      driver = "docker"
      user   = "ContainerUser"

      config {
        image     = "mcr.microsoft.com/windows/servercore/iis:windowsservercore-ltsc2022"
        isolation = "hyperv"
        ports     = ["http"]
        volumes   = ["C:\\data:C:\\inetpub\\wwwroot"]
      }

      resources {
        cpu    = 1000
        memory = 1024
      }
    }
  }
}
