// Lines out of chunks, wherever these break.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lines } from '../src/lib/ndjson';

async function cut(chunks: Uint8Array[]): Promise<string[]> {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const found: string[] = [];
  for await (const line of lines(stream)) found.push(line);
  return found;
}

test('the same lines however the bytes are cut', async () => {
  const bytes = new TextEncoder().encode('{}\n{"a":"ä€😀"}\r\n\nlast');
  const wanted = ['{}', '{"a":"ä€😀"}', '', 'last'];
  assert.deepEqual(await cut([bytes]), wanted);
  assert.deepEqual(await cut([...bytes].map((byte) => Uint8Array.of(byte))), wanted);
  for (let at = 1; at < bytes.length; at += 1)
    assert.deepEqual(await cut([bytes.slice(0, at), bytes.slice(at)]), wanted);
});

test('nothing gives nothing', async () => {
  assert.deepEqual(await cut([]), []);
  assert.deepEqual(await cut([new TextEncoder().encode('\n')]), ['']);
});
