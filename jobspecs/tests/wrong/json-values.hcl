{
  "Job": {
    "ID": "x y",
    "TaskGroups": [{ "Name": "g", "Count": 1, "Tasks": [{ "Name": "t", "Driver": "docker" }] }]
  }
}
