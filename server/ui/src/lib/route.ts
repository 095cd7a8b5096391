// Addresses within the UI. They live behind "#", so that any id (with dots, slashes, spaces) survives a reload
// without a rule on the server. Pure: text to route and back.

export type Route =
  | { page: 'overview' }
  | { page: 'jobs' }
  | { page: 'job'; id: string; namespace: string }
  | { page: 'plan'; id?: string; namespace: string }
  | { page: 'nodes' }
  | { page: 'node'; id: string }
  | { page: 'allocation'; id: string }
  | { page: 'capacity' }
  | { page: 'services' }
  | { page: 'deployments' }
  | { page: 'events' }
  | { page: 'servers' }
  | { page: 'unknown'; path: string };

/** The route of a location's hash ("#/jobs/web@default"). */
export function parse(hash: string): Route {
  const path = hash.replace(/^#?\/?/, '').split('?')[0] ?? '';
  const parts = path.split('/').filter((part) => part !== '');
  const [head, rest] = [parts[0], parts.slice(1).map(decode).join('/')];
  if (head === undefined) return { page: 'overview' };
  if (head === 'jobs' && rest) return { page: 'job', ...job(rest) };
  if (head === 'plan') return { page: 'plan', ...(rest ? job(rest) : { namespace: 'default' }) };
  if (head === 'nodes' && rest) return { page: 'node', id: rest };
  if (head === 'allocations' && rest) return { page: 'allocation', id: rest };
  if (!rest) {
    switch (head) {
      case 'jobs':
      case 'nodes':
      case 'capacity':
      case 'services':
      case 'deployments':
      case 'events':
      case 'servers':
        return { page: head };
    }
  }
  return { page: 'unknown', path };
}

/** "web@default" as a job. */
function job(text: string): { id: string; namespace: string } {
  const at = text.lastIndexOf('@');
  if (at > 0) return { id: text.slice(0, at), namespace: text.slice(at + 1) || 'default' };
  return { id: text, namespace: 'default' };
}

// A broken escape is shown as it stands rather than failing the page.
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The addresses that pages link to. */
export const to = {
  overview: () => '#/',
  jobs: () => '#/jobs',
  job: (id: string, namespace = 'default') => `#/jobs/${encodeURIComponent(id)}@${encodeURIComponent(namespace)}`,
  plan: (id?: string, namespace = 'default') =>
    id === undefined ? '#/plan' : `#/plan/${encodeURIComponent(id)}@${encodeURIComponent(namespace)}`,
  nodes: () => '#/nodes',
  node: (id: string) => `#/nodes/${encodeURIComponent(id)}`,
  allocation: (id: string) => `#/allocations/${encodeURIComponent(id)}`,
  capacity: () => '#/capacity',
  services: () => '#/services',
  deployments: () => '#/deployments',
  events: () => '#/events',
  servers: () => '#/servers',
};

/** Which entry of the menu a route belongs to. */
export function section(route: Route): string {
  switch (route.page) {
    case 'job':
    case 'plan':
    case 'allocation':
      return 'jobs';
    case 'node':
      return 'nodes';
    default:
      return route.page;
  }
}
