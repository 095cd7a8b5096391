{
  "Job": {
    "ID": "web",
    "TaskGroups": [
      {
        "Name": "a",
        "Count": 1,
        "Tasks": [{ "Name": "t", "Driver": "fake", "Resources": { "CPU": 100, "MemoryMB": 64 } }]
      },
      {
        "Name": "b",
        "Count": 1,
        "Tasks": [
          { "Name": "t", "Driver": "fake", "Resources": { "CPU": 100, "MemoryMB": "64MB" } }
        ]
      }
    ]
  }
}
