// Light, dark, or as the system wishes. The choice is kept in the browser; public/theme.js applies it before the paint.

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'sched.theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

class Themes {
  chosen: Theme = $state(stored());
  systemDark = $state(matchMedia('(prefers-color-scheme: dark)').matches);
  dark = $derived(this.chosen === 'dark' || (this.chosen === 'system' && this.systemDark));

  constructor() {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', (event) => {
      this.systemDark = event.matches;
    });
  }

  choose(theme: Theme) {
    this.chosen = theme;
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      if (theme === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
  }
}

export const themes = new Themes();
