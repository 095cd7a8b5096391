job "web" {}
