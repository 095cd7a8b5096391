{
  "ID": "gpu",
  "TaskGroups": [
    {
      "Name": "g",
      "Tasks": [{ "Name": "t", "Driver": "fake", "Resources": { "Devices": [{ "Count": 1 }] } }]
    }
  ]
}
