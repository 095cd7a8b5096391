job "web" {
  group "web" {
	cuont = 2
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
			kill_timeout	= "30"
    }
  }
}
