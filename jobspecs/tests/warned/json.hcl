{
  "Job": {
    "ID": "web",
    "TaskGroups": [
      { "Name": "a", "Tasks": [{ "Name": "t", "Driver": "fake" }] },
      { "Name": "b", "Scaling": { "Max": 3 }, "Tasks": [{ "Name": "t", "Driver": "fake" }] }
    ]
  }
}
