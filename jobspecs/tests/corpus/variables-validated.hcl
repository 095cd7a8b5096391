# -var environment=staging
# -var replicas=4
variable "environment" {
  type        = string
  description = "Where this runs."

  validation {
    condition     = contains(["staging", "production"], var.environment)
    error_message = "The environment must be staging or production."
  }
}

variable "replicas" {
  type        = number
  default     = 2
  description = "Instances of the API."

  validation {
    condition     = var.replicas >= 1 && var.replicas <= 20
    error_message = "There must be between 1 and 20 replicas."
  }

  validation {
    condition     = floor(var.replicas) == var.replicas
    error_message = "The number of replicas must be whole."
  }
}

variable "image_tag" {
  type    = string
  default = "2024.11.3"

  validation {
    condition     = can(regex_replace(var.image_tag, "[a-z]", "")) && length(split(".", var.image_tag)) == 3
    error_message = "The tag must have three parts."
  }
}

variable "debug" {
  type    = bool
  default = false
}

variable "anything" {
  default = ["x", 1]
}

job "api" {
  meta {
    environment = var.environment
    debug       = var.debug
    anything    = "${var.anything[0]}-${var.anything[1]}"
  }

  group "api" {
    count = var.environment == "production" ? var.replicas * 2 : var.replicas

    task "api" {
      driver = "docker"

      config {
        image = "registry.example.com/api:${var.image_tag}"
        args  = var.debug ? ["--debug"] : ["--quiet"]
      }
    }
  }
}
