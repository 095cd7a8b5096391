terraform {
  required_version = ">= 1.0"
}
provider "nomad" {
  address = "http://localhost:4646"
}
resource "nomad_job" "web" {
  jobspec = file("web.nomad.hcl")
}
output "id" {
  value = "web"
}
