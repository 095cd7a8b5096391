{
  "Job": {
    "ID": "cache",
    "Name": "cache",
    "Type": "service",
    "Priority": 60,
    "Datacenters": ["dc1"],
    "Meta": { "team": "platform", "with-dash": "x" },
    "Constraints": [
      { "LTarget": "${attr.kernel.name}", "RTarget": "linux", "Operand": "=" }
    ],
    "Affinities": [
      { "LTarget": "${node.class}", "RTarget": "memory", "Operand": "=", "Weight": 40 }
    ],
    "Spreads": [
      { "Attribute": "${meta.rack}", "Weight": 70, "SpreadTarget": [{ "Value": "r1", "Percent": 50 }] }
    ],
    "Update": { "MaxParallel": 2, "MinHealthyTime": 15000000000, "HealthyDeadline": 180000000000, "AutoRevert": true },
    "TaskGroups": [
      {
        "Name": "memcached",
        "Count": 2,
        "RestartPolicy": { "Attempts": 5, "Interval": 600000000000, "Delay": 5000000000, "Mode": "delay" },
        "EphemeralDisk": { "SizeMB": 150, "Sticky": true },
        "Networks": [
          {
            "Mode": "bridge",
            "DynamicPorts": [{ "Label": "db", "To": 11211 }],
            "ReservedPorts": [{ "Label": "admin", "Value": 9150, "HostNetwork": "private" }],
            "DNS": { "Servers": ["10.0.0.2"] }
          }
        ],
        "Services": [
          {
            "Name": "memcached",
            "PortLabel": "db",
            "Provider": "nomad",
            "Tags": ["a", "b"],
            "Checks": [
              { "Name": "alive", "Type": "tcp", "Interval": 10000000000, "Timeout": 2000000000, "CheckRestart": { "Limit": 3, "Grace": 90000000000 } }
            ]
          }
        ],
        "Tasks": [
          {
            "Name": "memcached",
            "Driver": "docker",
            "Config": { "image": "memcached:1.6", "ports": ["db"], "args": ["-m", "64"] },
            "Env": { "LEVEL": "info" },
            "Resources": { "CPU": 200, "MemoryMB": 96 },
            "KillTimeout": 10000000000,
            "LogConfig": { "MaxFiles": 3, "MaxFileSizeMB": 5 },
            "Templates": [
              { "EmbeddedTmpl": "{{ key \"cache/size\" }}\n", "DestPath": "local/size", "ChangeMode": "signal", "ChangeSignal": "SIGUSR2", "Splay": 10000000000 }
            ]
          }
        ]
      }
    ]
  }
}
