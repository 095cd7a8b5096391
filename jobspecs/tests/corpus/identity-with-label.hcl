job "cloud-access" {
  group "sync" {
    task "sync" {
      driver = "docker"

      identity "gcp" {
        aud  = ["//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/nomad"]
        file = true
        ttl  = "1h"
      }

      config {
        image = "google/cloud-sdk:499.0.0-alpine"
      }
    }
  }
}
