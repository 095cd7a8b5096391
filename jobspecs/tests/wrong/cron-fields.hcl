job "report" {
  type = "batch"
  periodic {
    crons = [
      "61 * * * *",
      "0 24 * * *",
      "0 4 32 * *",
      "0 4 * 13 *",
      "0 4 * * 8",
      "0 4 * * FRY",
      "*/0 * * * *",
      "30-10 * * * *",
      "0 4 * *",
      "0 0 0 4 * * * *",
      "every 5 minutes",
      "@dialy",
      "@every 5m",
      "5m",
      "",
      "1;2 * * * *",
      "0 4 * * 1#6",
      "0 0 4 * * MON 1900",
    ]
  }
  group "report" {
    task "report" {
      driver = "fake"
    }
  }
}
