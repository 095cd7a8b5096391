// What the UI says of a task's events: the tone and the sentence.
import type { TaskEvent } from './model';
import type { Tone } from './status';

const TONES: Record<string, Tone> = {
  Started: 'good',
  Running: 'good',
  Reconnected: 'good',
  Terminated: 'bad',
  'Driver Failure': 'bad',
  'Setup Failure': 'bad',
  'Failed Validation': 'bad',
  'Not Restarting': 'bad',
  Restarting: 'warn',
  'Restart Signaled': 'warn',
  Killing: 'warn',
  Signaling: 'warn',
  'Waiting for shutdown delay': 'warn',
  Killed: 'done',
  Received: 'none',
  'Task Setup': 'info',
  Driver: 'info',
};

export function eventTone(event: TaskEvent): Tone {
  // A task that ended with exit code 0 did what it was asked to.
  if (event.Type === 'Terminated' && event.Details?.exit_code === '0' && event.Details?.oom_killed !== 'true')
    return 'done';
  return TONES[event.Type] ?? 'none';
}

export function eventText(event: TaskEvent): string {
  return (
    event.DisplayMessage ||
    event.Message ||
    Object.entries(event.Details ?? {})
      .map(([k, v]) => `${k} ${v}`)
      .join(', ')
  );
}
