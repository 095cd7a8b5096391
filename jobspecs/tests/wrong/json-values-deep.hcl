{
  "Job": {
    "ID": "web",
    "TaskGroups": [
      { "Name": "a", "Tasks": [{ "Name": "t", "Driver": "fake" }] },
      {
        "Name": "b",
        "Tasks": [
          { "Name": "t", "Driver": "fake", "KillSignal": "SIGTERM" },
          { "Name": "u", "Driver": "docker", "Config": { "image": "u:1", "comand": "x" }, "KillSignal": "SIGTRM" }
        ]
      }
    ]
  }
}
