{
  "Job": {
    "ID": "x",
    "TaskGroups": [{ "Name": "g", "Count": -1 }]
  }
}
