variable "tag" {
  default = "1"
}
locals {
  a = 1
}
