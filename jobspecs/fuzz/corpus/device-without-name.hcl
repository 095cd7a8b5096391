{
  "Job": {
    "Affinities": null,
    "AllAtOnce": false,
    "Constraints": null,
    "CreateIndex": 12,
    "Datacenters": ["*"],
    "Dispatched": false,
    "ID": "mesh-api",
    "JobModifyIndex": 40,
    "Meta": null,
    "ModifyIndex": 57,
    "Multiregion": null,
    "Name": "mesh-api",
    "Namespace": "default",
   "NodePool": "default",
    "ParameterizedJob": null,
    "ParentID": "",
    "Payload": null,
    "Periodic": null,
    "Priority": 50,
    "Region": "global",
    "Spreads": null,
    "Stable": true,
    "Status": "running",
    "StatusDescription": "",
    "Stop": false,
    "SubmitTime": 1730000000000000000,
    "TaskGroups": [
      {
        "Affinities": null,
        "Constraints": null,
        "Count": 1,
        "Disconnect": { "LostAfter": 3600000000000, "Reconcile": "best_score", "Replace": true },
        "EphemeralDisk": { "Migrate": false, "SizeMB": 300, "Sticky": false },
        "Meta": null,
        "Name": "api",
        "Networks": [{ "Mode": "bridge", "DynamicPorts": null, "ReservedPorts": null }],
        "Scaling": { "Enabled": true, "Min": 1, "Max": 4, "Policy": { "cooldown": "1m" } },
        "Services": [
          {
            "Name": "mesh-api",
            "PortLabel": "8080",
            "ConnecTt": {
              "SidecarService": {
                "Proxy": {
                  "Upstreams": [{ "DestinationName": "db", "LocalBindPort": 5432 }]
                }
              }
            }
          }
        ],
        "Tasks": [
          {
            "Actions": [{ "Name": "dump", "Command": "/bin/dump", "Args": ["--all"] }],
            "Config": { "image": "registry.example.com/mesh-api:1" },
            "Driver": "docker",
            "Identities": [{ "Name": "vault_default", "Audience": ["vault.io"], "TTL": 3600000000000, "File": true }],
            "Identity": { "Name": "default", "Audience": ["nomadproject.io"], "Env": true },
            "KillSignal": "SIGTERM",
            "Lifecycle": null,
            "Name": "api",
            "Resources": {
              "CPU": 100,
              "MemoryMB": 300,
              "Devices": [{ "Na;e": "nvidia/gpu", "Count": 1, "Constraints": [{ "LTarget": "${device.model}", "RTarget": "T4", "Operand": "=" }] }]
            },
            "Vault": { "Role": "api", "ChangeMode": "restart" },
            "VolumeMounts": [{ "Volume": "v", "Destination": "/v" }]
          }
        ],
        "Volumes": { "v": { "Name": "v", "Type": "host", "Source": "shared", "ReadOnly": true } }
      }
    ],
    "Type": "service",
    "Version": 3
  }
}
