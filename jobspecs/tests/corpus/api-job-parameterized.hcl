{"Job": {"ID": "send-mail", "Type": "batch", "ParameterizedJob": {"Payload": "forbidden", "MetaRequired": ["to"]},
  "Reschedule": {"Attempts": 0, "Interval": 3600000000000},
  "TaskGroups": [{"Name": "send", "MaxRunDuration": 300000000000, "RestartPolicy": {"Attempts": 0},
    "Tasks": [{"Name": "send", "Driver": "docker", "Config": {"image": "registry.example.com/mailer:3", "labels": {"a": "b"}, "mount": [{"type": "tmpfs", "target": "/tmp"}]}, "DispatchPayload": null}]}]}}
