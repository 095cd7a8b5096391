job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      env {
        A = uppper("a")
        B = upper()
        C = join("a", "b")
        D = substr("abc", 0)
        E = format("%d", "x")
        F = lookup({ a = 1 }, "b")
        G = element([], 0)
        H = lenght([1])
        I = toupper("a")
        J = tostring(3)
        K = cidrhost("10.0.0.0/8", "x")
        L = jsondecode("{")
      }
    }
  }
}
