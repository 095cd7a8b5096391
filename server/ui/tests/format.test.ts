// How numbers, times and ids are written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, command, count, cpu, memory, millis, percent, plural, seconds, shortId } from '../src/lib/format';

test('memory changes its unit at 1 GiB and at 1 TiB', () => {
  const rows: [number | null, string][] = [
    [0, '0 MiB'],
    [64, '64 MiB'],
    [1023, '1023 MiB'],
    [1024, '1.0 GiB'],
    [1536, '1.5 GiB'],
    [102_400, '100 GiB'],
    [1_048_576, '1.0 TiB'],
    [null, '–'],
    [Number.NaN, '–'],
  ];
  for (const [mb, text] of rows) assert.equal(memory(mb), text);
});

test('cpu changes its unit at 10 GHz', () => {
  assert.equal(cpu(9_999), '9999 MHz');
  assert.equal(cpu(10_000), '10.0 GHz');
  assert.equal(cpu(undefined), '–');
});

test('a share of nothing is not a number', () => {
  assert.equal(percent(1, 4), '25 %');
  assert.equal(percent(0, 4), '0 %');
  assert.equal(percent(1, 1000), '<1 %');
  assert.equal(percent(1, 0), '–');
  assert.equal(percent(null, 5), '–');
});

test('durations have at most two units', () => {
  const rows: [number, string][] = [
    [-3, '0 s'],
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 m'],
    [200, '3 m 20 s'],
    [3600, '1 h'],
    [7500, '2 h 5 m'],
    [86_400, '1 d'],
    [356_400, '4 d 3 h'],
  ];
  for (const [s, text] of rows) assert.equal(seconds(s), text);
});

test('times come as nanoseconds, as text, or not at all', () => {
  assert.equal(millis(1_700_000_000_000_000_000), 1_700_000_000_000);
  assert.equal(millis('2026-01-02T03:04:05Z'), Date.UTC(2026, 0, 2, 3, 4, 5));
  assert.equal(millis('0001-01-01T00:00:00Z'), undefined, 'the zero time means never');
  for (const never of [0, '', null, undefined, 'nonsense']) assert.equal(millis(never), undefined);
});

test('"ago" has one unit and is never negative', () => {
  const now = 1_000_000_000_000;
  const before = (s: number) => (now - s * 1000) * 1e6;
  assert.equal(ago(before(-5), now), 'now');
  assert.equal(ago(before(59), now), '59 s ago');
  assert.equal(ago(before(61), now), '1 m ago');
  assert.equal(ago(before(3600), now), '1 h ago');
  assert.equal(ago(before(47 * 3600), now), '47 h ago');
  assert.equal(ago(before(48 * 3600), now), '2 d ago');
  assert.equal(ago(0, now), '–');
});

test('a command names a namespace that is not the default', () => {
  assert.equal(command('sched job why web', 'default'), 'sched job why web');
  assert.equal(command('sched job why web', 'prod'), 'SCHED_NAMESPACE=prod sched job why web');
});

test('counts are grouped by three, plurals agree, ids are cut at eight', () => {
  assert.equal(count(1234567), '1\u202f234\u202f567');
  assert.equal(count(999), '999');
  assert.equal(plural(1, 'node'), '1 node');
  assert.equal(plural(0, 'node'), '0 nodes');
  assert.equal(shortId('0123456789abcdef'), '01234567');
});
