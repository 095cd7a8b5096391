{
  "job": {
    "id": "api", "Name": null, "TYPE": "batch", "Datacenters": null, "Priority": 70,
    "SubmitTime": 1, "Unknown": { "x": 1 },
    "Meta": { "Keep_This": "As Is" },
    "taskgroups": [{
      "name": "g", "Count": 2, "Scaling": null,
      "RestartPolicy": { "Attempts": 1 },
      "Networks": [{ "ReservedPorts": [{ "Label": "a", "Value": 80 }], "DynamicPorts": [{ "Label": "b" }] }],
      "Tasks": [{
        "Name": "t", "Driver": "docker", "Config": { "image": "x:1", "args": ["A"] },
        "Env": { "PATH_x": "1", "N": 3 }, "KillTimeout": 5000000000, "Templates": [{ "DestPath": "local/x", "EmbeddedTmpl": "x" }]
      }]
    }]
  }
}
