job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = upper(["a"])
        command = nofunc(1)
        args = [1 + "x", [1, 2][5], { a = 1 }.b]
        hostname = sha257("x")
        work_dir = true ? 1 / 0 : 2
        user = lookup({}, "a")
      }
    }
  }
}
