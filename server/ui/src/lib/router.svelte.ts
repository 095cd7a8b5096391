// The current route, following the address bar.
import { parse, type Route } from './route';

class Router {
  hash = $state(location.hash);
  route: Route = $derived(parse(this.hash));

  constructor() {
    addEventListener('hashchange', () => {
      this.hash = location.hash;
      scrollTo(0, 0);
    });
  }
}

export const router = new Router();
