{
  "Name": "web",
  "replicas": 3
}
