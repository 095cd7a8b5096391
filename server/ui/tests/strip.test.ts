// The placement map: areas are true to memory, whatever the sizes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hue, strip } from '../src/lib/strip';

const area = (segments: ReturnType<typeof strip>, id: string) =>
  segments.filter((s) => s.id === id).reduce((n, s) => n + s.width, 0);
const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

test('an allocation longer than a row goes on in the next', () => {
  const segments = strip(
    [
      { id: 'a', size: 600 },
      { id: 'b', size: 100 },
    ],
    1000,
    2,
  );
  assert.deepEqual(
    segments.map((s) => [s.id, s.row, s.first, s.last]),
    [
      ['a', 0, true, false],
      ['a', 1, false, true],
      ['b', 1, true, true],
    ],
  );
  near(area(segments, 'a'), 1.2);
  near(segments[2]!.from, 0.2);
});

test('a full node is full, and nothing is drawn outside', () => {
  const sizes = [333, 217, 129, 64, 64, 64, 64, 65];
  const segments = strip(
    sizes.map((size, i) => ({ id: `a${i}`, size })),
    1000,
    4,
  );
  near(
    segments.reduce((n, s) => n + s.width, 0),
    4,
  );
  for (const s of segments) assert.ok(s.from >= 0 && s.from + s.width <= 1 + 1e-6 && s.row >= 0 && s.row < 4);
  sizes.forEach((size, i) => near(area(segments, `a${i}`), size / 250));
});

test('more than there is, nothing, and less than nothing are drawn within the node', () => {
  near(
    strip([{ id: 'a', size: 5000 }], 1000, 4).reduce((n, s) => n + s.width, 0),
    4,
  );
  assert.deepEqual(
    strip(
      [
        { id: 'a', size: 0 },
        { id: 'b', size: -5 },
      ],
      1000,
      4,
    ),
    [],
  );
  assert.deepEqual(strip([{ id: 'a', size: 10 }], 0, 4), []);
});

test('a job keeps its colour', () => {
  assert.equal(hue('basket'), hue('basket'));
  assert.ok(new Set(['a', 'b', 'c', 'd', 'e', 'f'].map(hue)).size > 2);
});
