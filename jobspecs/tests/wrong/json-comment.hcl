{
  // the job
  "Job": {
    "ID": "web"
  }
}
