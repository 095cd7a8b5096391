// An event of the stream as a sentence, for the feeds. Pure.
import { shortId } from './format';
import type { StreamEvent } from './model';
import { to } from './route';
import type { Tone } from './status';

export interface Sentence {
  text: string;
  tone: Tone;
  href?: string;
}

type Body = Record<string, unknown>;

export function sentence(event: StreamEvent): Sentence {
  const body = Object.values(event.Payload ?? {}).find((v): v is Body => typeof v === 'object' && v !== null) ?? {};
  const word = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '');
  const job = word('JobID');
  const namespace = word('Namespace') || event.Namespace || 'default';
  switch (event.Topic) {
    case 'Job': {
      const id = word('ID') || event.Key;
      const version = typeof body.Version === 'number' ? ` version ${body.Version}` : '';
      const gone = event.Type === 'JobDeregistered' || body.Stop === true;
      return {
        text: gone ? `${id} was stopped` : `${id}${version} was registered`,
        tone: gone ? 'done' : 'none',
        href: to.job(id, namespace),
      };
    }
    case 'Allocation': {
      const name = word('Name') || shortId(event.Key);
      const status = word('ClientStatus');
      const node = word('NodeName') ? ` on ${word('NodeName')}` : '';
      const stopping = word('DesiredStatus') === 'stop' && (status === 'running' || status === 'pending');
      const health = (body.DeploymentStatus as { Healthy?: boolean } | null | undefined)?.Healthy;
      const state = stopping
        ? 'shall stop'
        : status === 'running' && health === true
          ? 'is healthy'
          : status === 'running' && health === false
            ? 'is unhealthy'
            : status === 'pending'
              ? 'was placed'
              : `is ${status || 'changed'}`;
      const tone: Tone =
        status === 'failed' || health === false
          ? 'bad'
          : status === 'lost' || status === 'unknown'
            ? 'lost'
            : stopping
              ? 'warn'
              : status === 'running'
                ? 'good'
                : status === 'pending'
                  ? 'info'
                  : 'done';
      return { text: `${name} ${state}${node}`, tone, href: to.allocation(word('ID') || event.Key) };
    }
    case 'Deployment': {
      const status = word('Status') || 'changed';
      const version = typeof body.JobVersion === 'number' ? ` v${body.JobVersion}` : '';
      const tone: Tone = status === 'failed' ? 'bad' : status === 'successful' ? 'good' : 'info';
      return {
        text: `deployment of ${job}${version} is ${status === 'running' ? 'in progress' : status}`,
        tone,
        href: to.job(job, namespace),
      };
    }
    case 'Evaluation': {
      const status = word('Status');
      const about = job || (word('NodeID') ? `node ${shortId(word('NodeID'))}` : shortId(event.Key));
      const tone: Tone = status === 'blocked' ? 'warn' : status === 'failed' ? 'bad' : 'none';
      return {
        text: `evaluation of ${about} (${word('TriggeredBy') || 'unknown cause'}) is ${status || 'changed'}`,
        tone,
        href: job ? to.job(job, namespace) : undefined,
      };
    }
    case 'Node': {
      const name = word('Name') || shortId(event.Key);
      const status = word('Status');
      const drains = body.Drain === true || (typeof body.DrainStrategy === 'object' && body.DrainStrategy !== null);
      const deed: Record<string, string> = {
        NodeRegistration: `registered and is ${status}`,
        NodeDeregistration: 'was removed',
        NodeDrain: drains ? 'drains' : 'no longer drains',
        NodeEligibility: `is ${word('SchedulingEligibility')}`,
      };
      const tone: Tone = status === 'down' || status === 'disconnected' ? 'bad' : drains ? 'warn' : 'good';
      return {
        text: `node ${name} ${deed[event.Type] ?? `is ${status}`}`,
        tone,
        href: to.node(word('ID') || event.Key),
      };
    }
    case 'Service': {
      const name = word('ServiceName') || event.Key;
      const gone = event.Type === 'ServiceDeregistration';
      const at = word('Address') ? ` at ${word('Address')}:${String(body.Port ?? '')}` : '';
      return {
        text: `service ${name}${at} ${gone ? 'left' : 'joined'} the catalog`,
        tone: gone ? 'warn' : 'good',
        href: to.services(),
      };
    }
    default:
      return { text: `${event.Type} ${shortId(event.Key)}`, tone: 'none' };
  }
}
