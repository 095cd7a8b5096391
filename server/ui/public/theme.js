// Applies the chosen theme before the first paint. A file of its own because the content policy forbids inline scripts.
(function () {
  try {
    var theme = localStorage.getItem('sched.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch (_) {
    // Storage may be forbidden; the system's preference applies then.
  }
})();
