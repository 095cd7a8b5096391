# The job's vault and secret blocks go to every task that has none of its own.
job "payments" {
  vault {
    role = "payments"
  }

  secret "stripe" {
    provider = "vault"
    path     = "kv/data/payments/stripe"

    config {
      engine = "kv_v2"
    }
  }

  group "api" {
    task "api" {
      driver = "docker"
      config {
        image = "registry.example.com/payments:9"
      }
      env {
        STRIPE_KEY = "${secret.stripe.api_key}"
      }
    }

    task "worker" {
      driver = "docker"

      vault {
        policies    = ["payments-worker", "queue"]
        change_mode = "noop"
      }

      secret "queue" {
        provider = "nomad"
        path     = "nomad/jobs/payments/queue"
      }

      secret "mail" {
        provider = "aws-secrets"
        path     = "prod/mail"

        config {
          region  = "eu-central-1"
          retries = 3
        }

        env {
          AWS_PROFILE      = "mail"
          AWS_MAX_ATTEMPTS = 5
        }
      }

      config {
        image = "registry.example.com/payments-worker:9"
        args  = ["--queue-password", "${secret.queue.password}"]
      }
    }
  }
}
