// Cuts a stream of bytes into lines, wherever the chunks happen to break. Used by the event stream and the logs.

/** The complete lines of a byte stream, without their ends; a last line without an end is given at the end. */
export async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      rest += decoder.decode(value, { stream: true });
      const parts = rest.split('\n');
      rest = parts.pop() ?? '';
      yield* parts.map((line) => line.replace(/\r$/, ''));
    }
    rest += decoder.decode();
    if (rest !== '') yield rest;
  } finally {
    reader.cancel().catch(() => {});
  }
}
