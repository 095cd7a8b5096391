// The web UI in a real browser against a running cluster: a job starts and turns healthy, a node dies and its
// allocations move, another is drained, and the figures on the screen are those of the API at the same index, all without
// a reload.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, job, jobspec, killNode, sched, startNode, until } from './cluster.mjs';
import { look, open, section, shoot } from './screen.mjs';

const JOBS = '/v1/jobs/statuses?namespace=*';
const USAGE = '/v1/nodes/usage';
const ALLOCATIONS = `/v1/job/${encodeURIComponent(job)}/allocations?namespace=default`;

/** Compares screen and API once both stand at the same index: `screen` and `truth` must come out equal. */
async function same(page, path, selectors, screen, truth) {
  return until(`screen and API at the same index of ${path}`, async () => {
    const before = await look(page, selectors);
    const answer = await api(path);
    const seen = await look(page, selectors);
    if (answer.index === 0) throw new assert.AssertionError({ message: `${path} has no index` });
    if (seen.reads[path] !== answer.index || before.reads[path] !== answer.index) return undefined;
    assert.ok(seen.index >= answer.index, 'the page names the newest index of its readings');
    return { shown: screen(seen), wanted: truth(answer.data), index: answer.index };
  }).then(({ shown, wanted, index }) => assert.deepEqual(shown, wanted, `${path} at index ${index}`));
}

const rows = {
  jobs: { selector: 'tr[data-job]', attributes: ['data-job'] },
  running: { selector: 'tr[data-job] [data-figure="running"]' },
};
const compareJobs = (page) =>
  same(
    page,
    JOBS,
    rows,
    (seen) => Object.fromEntries(seen.jobs.map((row, i) => [row['data-job'], Number(seen.running[i])])),
    (data) =>
      Object.fromEntries(
        data.map((row) => [row.ID, (row.Allocs ?? []).filter((a) => a.ClientStatus === 'running').length]),
      ),
  );

const table = {
  allocations: { selector: 'tr[data-allocation]', attributes: ['data-allocation', 'data-status', 'data-desired'] },
  running: { selector: '[data-panel="groups"] [data-figure="running"]' },
};
const compareJob = (page) =>
  same(
    page,
    ALLOCATIONS,
    table,
    (seen) => ({
      alive: seen.allocations
        .filter((a) => ['running', 'pending', 'unknown'].includes(a['data-status']))
        .map((a) => Object.values(a).join(' '))
        .sort(),
      running: seen.running.reduce((sum, text) => sum + Number(text), 0),
    }),
    (data) => ({
      alive: data
        .filter((a) => ['running', 'pending', 'unknown'].includes(a.ClientStatus))
        .map((a) => [a.ID, a.ClientStatus, a.DesiredStatus].join(' '))
        .sort(),
      running: data.filter((a) => a.ClientStatus === 'running').length,
    }),
  );

const map = {
  nodes: { selector: '[data-node]:is(article)', attributes: ['data-node'] },
  blocks: { selector: 'a[data-map-allocation]', attributes: ['data-map-allocation'] },
};
const compareMap = (page) =>
  same(
    page,
    USAGE,
    map,
    (seen) => ({
      nodes: seen.nodes.map((n) => n['data-node']).sort(),
      allocations: [...new Set(seen.blocks.map((b) => b['data-map-allocation']))].sort(),
    }),
    (data) => ({
      nodes: data.Nodes.map((n) => n.Name).sort(),
      allocations: data.Nodes.flatMap((n) => n.Allocations.filter((a) => a.MemoryMB > 0).map((a) => a.ID)).sort(),
    }),
  );

const tiles = {
  figures: { selector: 'a.panel [data-figure]', attributes: ['data-figure'] },
  values: { selector: 'a.panel [data-figure]' },
};
const compareOverview = (page) =>
  same(
    page,
    JOBS,
    tiles,
    (seen) => {
      const of = Object.fromEntries(
        seen.figures.map((f, i) => [f['data-figure'], Number(seen.values[i].replace(/\s/g, ''))]),
      );
      return { jobs: of.jobs, running: of['allocations.running'] };
    },
    (data) => {
      const wanted = data.filter((row) => !row.Stop);
      return {
        jobs: wanted.length,
        running: wanted.flatMap((row) => row.Allocs ?? []).filter((a) => a.ClientStatus === 'running').length,
      };
    },
  );

/** Running allocations that shall run, by node name: what the job's table shows. */
async function placed(page) {
  const seen = await look(page, {
    rows: { selector: 'tr[data-allocation]', attributes: ['data-status', 'data-desired', 'data-node'] },
  });
  return seen.rows
    .filter((row) => row['data-status'] === 'running' && row['data-desired'] === 'run')
    .map((row) => row['data-node']);
}

test('the web UI against a running cluster', { timeout: 600_000 }, async (t) => {
  if (await api(`/v1/job/${encodeURIComponent(job)}`)) {
    await sched('job', 'stop', '-purge', job);
    await until(
      'the job of an earlier run is gone',
      async () => (await api(`/v1/job/${encodeURIComponent(job)}`)) === undefined,
    );
  }
  const { browser, page, seen } = await open();
  t.after(() => browser.close());
  await page.waitForSelector('[data-live="live"]');
  const mark = `${Date.now()}`;
  await page.evaluate((value) => (window.untouched = value), mark);
  let count = 0;
  let victim;
  let refused;
  const step = async (name, body) => {
    // What follows a failed step would only fail in its wake.
    await t.test(name, { skip: refused }, async () => {
      try {
        await body();
      } catch (error) {
        refused = `“${name}” failed`;
        throw error;
      }
    });
  };

  await step('a job that is run appears', async () => {
    assert.equal(await page.locator(`tr[data-job="${job}"]`).count(), 0);
    const ran = sched('job', 'run', jobspec);
    await page.waitForSelector(`tr[data-job="${job}"]`);
    await page.click(`tr[data-job="${job}"] td.key a`);
    await page.waitForSelector('[data-panel="deployment"]');
    const { code, said } = await ran;
    assert.equal(code, 0, said);
  });

  await step('and turns healthy as one watches', async () => {
    await page.waitForSelector('[data-deployment-status="successful"]');
    count = (await api(`/v1/job/${encodeURIComponent(job)}`)).data.TaskGroups.reduce(
      (sum, group) => sum + group.Count,
      0,
    );
    await until(
      'every square is healthy',
      async () => (await page.locator('[data-panel="groups"] [data-square="healthy"]').count()) === count,
    );
    await until(
      'the catalog names every instance',
      async () => (await page.locator('[data-panel="service"] [data-instance-state="passing"]').count()) >= count,
    );
    assert.equal(
      await page.textContent('[data-figure="deployment.healthy"]'),
      await page.textContent('[data-figure="deployment.desired"]'),
    );
    await compareJob(page);
    await shoot(page, 'job.png');
  });

  await step('a change is planned, and where it would run is told before it runs', async () => {
    await page.click('[data-name="plan-job"]');
    await page.waitForSelector('[data-page="plan"]');
    const field = page.locator('[data-panel="jobspec"] textarea');
    await until('the jobspec is there', async () => (await field.inputValue()).includes(job));
    await page.click('[data-name="plan"]');
    await page.waitForSelector('[data-panel="effects"] [data-effects]');
    assert.match(await page.textContent('[data-panel="effects"]'), /Nothing: it runs as it is/);
    const source = await field.inputValue();
    const more = source.replace(/(\bcount\s*=\s*|"Count":\s*)(\d+)/, (_, before, n) => `${before}${Number(n) + 1}`);
    assert.notEqual(more, source, 'the jobspec has a count');
    await field.fill(more);
    await page.waitForSelector('[data-panel="effects"]', { state: 'detached' });
    await page.click('[data-name="plan"]');
    await page.waitForSelector('[data-panel="effects"] [data-effects]');
    const told = await page.textContent('[data-panel="effects"]');
    const places = await page.locator('[data-placement]').count();
    assert.ok(places === 1 ? told.includes('1 create') : told.includes('1 instance without a node'), told);
    assert.match(await page.textContent('[data-panel="difference"]'), /Count/i);
    await shoot(page, 'plan.png');
    assert.equal((await api(`/v1/job/${encodeURIComponent(job)}`)).data.Version, 0, 'nothing was run');
    await field.fill('job "x" {\n  groop "y" {}\n}');
    await page.click('[data-name="plan"]');
    await page.waitForSelector('[data-name="wrong"]');
  });

  await step('the figures are those of the API at the same index', async () => {
    await section(page, 'Jobs');
    await page.waitForSelector(`tr[data-job="${job}"]`);
    await compareJobs(page);
    await section(page, 'Overview');
    await page.waitForSelector('[data-figure="allocations.running"]');
    await compareOverview(page);
    await until(
      'the overview has its panels',
      async () => (await page.locator('[data-panel="events"] li').count()) > 0,
    );
    await shoot(page, 'overview.png');
    await section(page, 'Nodes');
    await page.waitForSelector(`a[data-job="${job}"]`);
    await compareMap(page);
    await shoot(page, 'nodes.png');
  });

  await step('a node says what it has for the job, and the capacity what would fit', async () => {
    await page.locator('main a[href^="#/nodes/"]').first().click();
    await page.waitForSelector('[data-panel="node-why"] select');
    await page.selectOption('[data-name="node-why-job"]', { label: job });
    await page.waitForSelector('[data-panel="node-why"] [data-group]');
    const checks = await page.locator('[data-panel="node-why"] td[aria-label]').count();
    assert.ok(checks > 0, 'every check is listed');
    await section(page, 'Capacity');
    await page.waitForSelector('[data-panel="capacity"] td.key');
    await page.fill('[aria-label="CPU of an instance, in MHz"]', '1');
    await page.fill('[aria-label="Memory of an instance"]', '1m');
    await page.click('[data-name="foresee"]');
    await page.waitForSelector('[data-name="foreseen"] li');
    assert.match(await page.textContent('[data-name="foreseen"]'), /room for [1-9]/);
    await shoot(page, 'capacity.png');
    await section(page, 'Nodes');
    await page.waitForSelector(`a[data-job="${job}"]`);
  });

  await step('a click on the map lights up the job over the cluster', async () => {
    await page.locator(`a[data-map-allocation][data-job="${job}"]`).first().click();
    await until(
      'its allocations are lit',
      async () => (await page.locator(`a.lit[data-job="${job}"]`).count()) >= count,
    );
    assert.equal(await page.locator(`a.dim[data-job="${job}"]`).count(), 0);
    assert.equal(await page.locator(`a[data-map-allocation]:not(.dim):not([data-job="${job}"])`).count(), 0);
    await page.locator(`a[data-map-allocation][data-job="${job}"]`).first().click();
  });

  await step('a log streams, pauses and follows', async () => {
    const allocation = (await api(ALLOCATIONS)).data.find(
      (a) => a.ClientStatus === 'running' && a.DesiredStatus === 'run',
    );
    const full = (await api(`/v1/allocation/${allocation.ID}`)).data;
    const port = full.AllocatedResources.Shared.Ports?.[0];
    // A request makes the demo service write a line. Whether it is answered is not the question here.
    const poke = () =>
      fetch(`http://${port.HostIP}:${port.Value}/`, { signal: AbortSignal.timeout(1000) })
        .then((r) => r.text())
        .catch(() => {});
    await section(page, 'Jobs');
    await page.click(`tr[data-job="${job}"] td.key a`);
    await page.click(`tr[data-allocation="${allocation.ID}"] td.key a`);
    await page.waitForSelector('[data-log-state="following"] [data-line]');
    const last = async () => Number(await page.locator('[data-line]').last().getAttribute('data-line'));
    const more = (than) => until('new lines come', async () => (await poke(), (await last()) > than));
    await more(await last());
    await page.click('[data-log-pause]');
    const stopped = await last();
    await until(
      'lines wait while the log is paused',
      async () => (await poke(), /new/.test(await page.textContent('[data-log-pause]'))),
    );
    assert.equal(await last(), stopped, 'nothing moves while paused');
    await page.click('[data-log-pause]');
    await more(stopped);
  });

  await step('a node dies and its allocations move', async () => {
    await section(page, 'Jobs');
    await page.click(`tr[data-job="${job}"] td.key a`);
    victim = await until('the job is placed', async () => (await placed(page)).at(-1));
    await killNode(victim);
    await until(
      `${count} run on other nodes`,
      async () => {
        const nodes = await placed(page);
        return nodes.length === count && !nodes.includes(victim);
      },
      120_000,
    );
    await compareJob(page);
    await section(page, 'Nodes');
    await page.waitForSelector(`article[data-node="${victim}"][data-node-state="down"]`);
    await compareMap(page);
  });

  await step('light and dark', async () => {
    const brightness = () =>
      page.evaluate(() =>
        getComputedStyle(document.documentElement)
          .backgroundColor.match(/\d+/g)
          .slice(0, 3)
          .reduce((sum, n) => sum + Number(n), 0),
      );
    assert.ok((await brightness()) > 600);
    await page.click('[data-theme-choice="dark"]');
    await until('the page is dark', async () => (await brightness()) < 150);
    assert.equal(await page.evaluate(() => localStorage.getItem('sched.theme')), 'dark');
    await shoot(page, 'nodes-dark.png');
    await page.click('[data-theme-choice="light"]');
    await until('the page is light', async () => (await brightness()) > 600);
  });

  await step('the node returns and nothing runs twice', async () => {
    await startNode(victim);
    await page.waitForSelector(`article[data-node="${victim}"][data-node-state="ready"]`);
    await section(page, 'Jobs');
    await until('as many run as shall', async () => {
      const shown = await look(page, { running: { selector: `tr[data-job="${job}"] [data-figure="running"]` } });
      return Number(shown.running[0]) === count;
    });
    await compareJobs(page);
  });

  await step('a node is drained by its button', async () => {
    await page.click(`tr[data-job="${job}"] td.key a`);
    const node = await until('the job is placed', async () => (await placed(page))[0]);
    await section(page, 'Nodes');
    await page.click(`article[data-node="${node}"] h2 a`);
    await page.click('[data-deed="drain"]');
    await page.click('[data-deed="drain"]');
    await page.waitForSelector('[data-panel="drain"] [data-state="complete"]', { timeout: 120_000 });
    await page.click('[data-deed="eligible"]');
    await page.waitForSelector('[data-deed="ineligible"]');
    await section(page, 'Jobs');
    await page.click(`tr[data-job="${job}"] td.key a`);
    await until(`${count} run on other nodes`, async () => {
      const nodes = await placed(page);
      return nodes.length === count && !nodes.includes(node);
    });
    await compareJob(page);
  });

  await step('what was planned is run by its button, and shown', async () => {
    const version = async () => (await api(`/v1/job/${encodeURIComponent(job)}`)).data.Version;
    const before = await version();
    await page.click('[data-name="plan-job"]');
    const field = page.locator('[data-panel="jobspec"] textarea');
    await until('the jobspec is there', async () => (await field.inputValue()).includes(job));
    const source = await field.inputValue();
    await field.fill(source.replace(/(\bcount\s*=\s*|"Count":\s*)(\d+)/, (_, head, n) => `${head}${Number(n) - 1}`));
    await page.click('[data-name="plan"]');
    await page.click('[data-deed="run-job"]');
    assert.equal(await version(), before, 'one click only asks');
    await page.click('[data-deed="run-job"]');
    await page.waitForSelector('[data-page="job"]');
    assert.equal(await version(), before + 1);
    await until(`${count - 1} run`, async () => (await placed(page)).length === count - 1);
    await compareJob(page);
  });

  await step('the job is stopped by its button, after a question', async () => {
    const stop = page.locator('[data-deed="stop-job"]');
    await stop.click();
    assert.equal((await api(`/v1/job/${encodeURIComponent(job)}`)).data.Stop ?? false, false, 'one click only asks');
    await stop.click();
    await until(
      'the API says stopped',
      async () => (await api(`/v1/job/${encodeURIComponent(job)}`)).data.Stop === true,
    );
    await until('nothing runs', async () => (await placed(page)).length === 0);
    await page.waitForSelector('h1 ~ [data-state="stopped"]');
  });

  await step('the page was never loaded again, and nothing broke in it', async () => {
    assert.equal(await page.evaluate(() => window.untouched), mark);
    assert.equal(seen.loads, 1);
    assert.deepEqual(seen.errors, []);
  });
});
