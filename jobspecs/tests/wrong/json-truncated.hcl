{
  "Job": {
    "ID": "web",
    "TaskGroups": [
