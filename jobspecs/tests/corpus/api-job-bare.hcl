{
  "ID": "rollup",
  "Type": "batch",
  "Namespace": "analytics",
  "Periodic": {
    "Enabled": true,
    "SpecType": "cron",
    "Spec": "*/30 * * * *",
    "ProhibitOverlap": true,
    "TimeZone": "America/New_York"
  },
  "TaskGroups": [
    {
      "Name": "rollup",
      "Tasks": [
        {
          "Name": "rollup",
          "Driver": "exec",
          "Config": { "command": "/usr/bin/rollup", "args": ["--since", "30m"] },
          "Constraints": [{ "LTarget": "${meta.warehouse}", "Operand": "is_set" }],
          "Artifacts": [
            { "GetterSource": "https://example.com/rollup.zip", "RelativeDest": "local/", "GetterOptions": { "archive": "zip" } }
          ],
          "Resources": { "Cores": 2, "MemoryMB": 1000 }
        }
      ]
    }
  ]
}
