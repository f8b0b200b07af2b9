import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { STATIONS } from '@tutti/runtime';
import type { RunEvent } from './events.js';

type Fields<Event> = {
  readonly [Field in Exclude<keyof Event, 'event'>]-?: undefined extends Event[Field] ? '?' : '';
};

/** The compiler asks for every event, and for every field of it. */
const FIELDS: { readonly [Name in RunEvent['event']]: Fields<Extract<RunEvent, { event: Name }>> } =
  {
    listening: { address: '' },
    started: {
      ...{ job: '', workers: '', servers: '', shards: '', steps: '', epochs: '?' },
      ...{
        storedParameters: '',
        program: '?',
        hyperparameters: '?',
        dataset: '?',
        folder: '?',
        resumed: '?',
        from: '?',
      },
    },
    weights: { elements: '', stored: '', weights: '' },
    step: {
      ...{ step: '', epoch: '', loss: '', metrics: '', examples: '' },
      ...{ examplesPerSecond: '', stepMs: '' },
    },
    epoch: { epoch: '', step: '', loss: '', metrics: '', evaluation: '?' },
    'learning-rate': { step: '', epoch: '', factor: '' },
    'early-stop': { step: '', epoch: '', monitor: '', best: '?' },
    'worker-joined': { worker: '', workers: '' },
    'worker-left': { worker: '', reason: '', politely: '', workers: '' },
    'worker-restarted': { worker: '', reason: '', restarts: '', maxRestarts: '' },
    'worker-excluded': { worker: '', step: '', shards: '', hostname: '', pid: '' },
    'server-caught-up': { address: '', step: '', ms: '' },
    waiting: { by: '?', who: '', what: '', sinceMs: '', remedy: '' },
    checkpoint: { step: '', path: '' },
    warning: { code: '', message: '', remedy: '' },
    finished: {
      ...{ steps: '', examples: '', loss: '', metrics: '', digest: '', examplesPerSecond: '' },
      ...{ wireBytesPerStep: '', storedParameters: '', modelPath: '' },
    },
    failed: { code: '', message: '', remedy: '', details: '' },
  };

describe('docs/EVENTS.md', () => {
  const text = readFileSync(new URL('../../../docs/EVENTS.md', import.meta.url), 'utf8');
  const parts = text.split('\n## ');
  /** First and last cell of the rows that begin with a name. */
  const rowsOf = (part = '') =>
    part.split('\n').flatMap((line) => {
      const [, name, , last] = /^\| `([\w-]+)` \|(.*)\| ([^|]*) \|$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, last!] as const];
    });
  const rows = rowsOf(parts[0]);

  it('names every event, and no other', () => {
    assert.deepEqual(rows.map(([name]) => name).sort(), Object.keys(FIELDS).sort());
  });

  it('names every station of a timeline, in the order of a step', () => {
    const stations = rowsOf(parts.find((part) => part.startsWith('Where the time of a step goes')));
    assert.deepEqual(
      stations.map(([name]) => name),
      Object.keys(STATIONS),
    );
  });

  for (const [name, fields] of Object.entries(FIELDS))
    it(`has the fields of ${name}`, () => {
      const expected = Object.entries(fields).map(([field, mark]) => `\`${field}${mark}\``);
      assert.equal(Object.fromEntries(rows)[name], expected.join(', '));
    });
});
