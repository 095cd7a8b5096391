{ "ID": "x", "TaskGroups": [{ "Name": "g", "Tasks": [{ "Name": "t", "Driver": "fake", "Resources": { "Devices": [{ "Na;e": "gpu" }] } }] }] }
