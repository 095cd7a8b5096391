// Runs the unit tests with Node's own test runner. Node 18 and 20 do not read TypeScript, so each test is bundled first
// with esbuild, which the build already brings.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(fileURLToPath(import.meta.url), '..', '..');
const out = mkdtempSync(join(tmpdir(), 'sched-ui-test-'));
const tests = readdirSync(join(root, 'tests')).filter((name) => name.endsWith('.test.ts'));
await build({
  entryPoints: tests.map((name) => join(root, 'tests', name)),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const files = tests.map((name) => join(out, name.replace(/\.ts$/, '.mjs')));
const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit' });
rmSync(out, { recursive: true });
process.exit(run.status ?? 1);
