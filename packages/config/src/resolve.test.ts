import assert from 'node:assert/strict';
import { TuttiError } from '@tutti/runtime';
import fc from 'fast-check';
import { flagOf, variableOf } from './names.js';
import { type ResolveInit, resolveSettings } from './resolve.js';
import { SETTING_NAMES, type SettingName, settingOf } from './settings.js';
import type { SettingValue } from './values.js';

function refused(init: ResolveInit): TuttiError {
  try {
    resolveSettings(init);
  } catch (error) {
    assert.ok(error instanceof TuttiError, String(error));
    assert.equal(error.code, 'BAD_CONFIG');
    assert.notEqual(error.remedy, '');
    return error;
  }
  return assert.fail('was accepted');
}

const file = (values: Record<string, unknown>) => ({ path: 'tutti.config.json', values });

/** Two allowed values of a setting that differ. */
function twoValues(name: SettingName): [SettingValue, SettingValue] {
  const setting = settingOf(name);
  switch (setting.kind) {
    case 'integer':
      return [setting.min + 1, setting.min + 2];
    case 'number':
      return [setting.above + 0.25, setting.above + 1.5];
    case 'share':
      return [0.25, 1];
    case 'boolean':
      return [true, false];
    case 'choice':
      return [setting.values[0]!, setting.values[1]!];
    case 'text':
      return ['one', 'two'];
    case 'interval':
      return ['500', '1.5m'];
    case 'network':
      return ['rate=1gbit', 'rate=100mbit,delay=5ms'];
    case 'host':
      return ['head', '[fd00::1]'];
    case 'address':
      return ['tcp://10.0.0.1:1000', 'ipc:///tmp/x'];
    case 'port':
      return [8080, true];
    case 'addresses':
      return [['tcp://10.0.0.1:1000'], ['tcp://10.0.0.2:1000', 'tcp://10.0.0.3:1000']];
  }
}

const sourceKinds = ['file', 'environment', 'flags'] as const;

function initOf(name: SettingName, given: Partial<Record<string, SettingValue>>): ResolveInit {
  return {
    ...(given.file === undefined ? {} : { file: file({ [name]: given.file }) }),
    ...(given.environment === undefined
      ? {}
      : { environment: { [variableOf(name)]: String(given.environment) } }),
    ...(given.flags === undefined ? {} : { flags: { [name]: String(given.flags) } }),
  };
}

/** With a deadline that any pause between signs of life goes with, as some do not with the default. */
const withPatience = (name: SettingName, init: ResolveInit): ResolveInit =>
  name === 'heartbeatMs'
    ? { ...init, flags: { ...init.flags, heartbeatDeadlineMs: '6553500' } }
    : init;

const sourceText = (name: SettingName, kind: string) =>
  kind === 'file'
    ? 'file tutti.config.json'
    : kind === 'flags'
      ? `flag ${flagOf(name)}`
      : `environment ${variableOf(name)}`;

describe('resolving settings', () => {
  it('lets the higher source win, for every setting and every pair of sources', () => {
    for (const name of SETTING_NAMES) {
      const [low, high] = twoValues(name);
      for (const lower of sourceKinds) {
        for (const higher of sourceKinds.slice(sourceKinds.indexOf(lower) + 1)) {
          for (const [a, b] of [
            [low, high],
            [high, low],
          ] as const) {
            const resolved = resolveSettings(initOf(name, { [lower]: a, [higher]: b }));
            assert.deepEqual(resolved.settings[name], b, `${name}: ${higher} over ${lower}`);
            assert.equal(resolved.sources[name], sourceText(name, higher));
          }
        }
      }
    }
  });

  it('reads the same value from every source alone, and lets it win over the default', () => {
    for (const name of SETTING_NAMES) {
      for (const value of twoValues(name)) {
        for (const kind of sourceKinds) {
          const resolved = resolveSettings(initOf(name, { [kind]: value }));
          assert.deepEqual(resolved.settings[name], value);
          assert.equal(resolved.sources[name], sourceText(name, kind));
        }
      }
    }
  });

  it('leaves out what nobody set, so that the program can, and marks its defaults', () => {
    const { settings, sources } = resolveSettings({});
    assert.equal('batchSize' in settings, false);
    assert.equal('shards' in settings, false);
    assert.equal('workers' in settings, false);
    assert.equal(settings.maxRestarts, 0);
    assert.equal(sources.maxRestarts, 'default');
    assert.equal(sources.batchSize, undefined);
  });

  it('ignores what the command does not use, but not mistakes in it', () => {
    const environment = { TUTTI_EPOCHS: '3', TUTTI_LOG_LEVEL: 'debug' };
    const { settings } = resolveSettings({ environment, command: 'worker' });
    assert.equal(settings.logLevel, 'debug');
    assert.equal(settings.epochs, undefined);
    refused({ environment: { TUTTI_EPOCHS: 'three' }, command: 'worker' });
  });

  it('finds a mistake in the file even where a flag overrules it', () => {
    const error = refused({ flags: { batchSize: '64' }, file: file({ batchSize: 0 }) });
    assert.match(error.message, /batchSize \(file tutti\.config\.json\) is 0/);
  });
});

describe('refused settings', () => {
  it('names source and allowed values of an impossible value', () => {
    assert.equal(
      refused({ flags: { batchSize: '12x' } }).message,
      'batchSize (flag --batch-size) is "12x", but it must be a whole number of at least 1.',
    );
    assert.equal(
      refused({ environment: { TUTTI_WORKERS: '5000' } }).message,
      'workers (environment TUTTI_WORKERS) is "5000", but it must be a whole number from 0 to 4096.',
    );
    assert.match(
      refused({ environment: { TUTTI_SEED: '' } }).message,
      /TUTTI_SEED\) is empty, but it must be a whole number/,
    );
    assert.match(refused({ flags: { logLevel: 'wran' } }).remedy, /Did you mean warn\?/);
    assert.match(refused({ file: file({ workers: '4' }) }).message, /is "4", but/);
    assert.match(refused({ file: file({ workers: null }) }).message, /is null, but/);
  });

  it('suggests the name that was meant, spelled as its source spells it', () => {
    const flag = refused({ flags: { batchsize: '1' } });
    assert.match(flag.message, /no setting --batchsize \(flag\)/);
    assert.match(flag.remedy, /Did you mean --batch-size\?/);
    const variable = refused({ environment: { TUTTI_WROKERS: '1' } });
    assert.match(variable.message, /TUTTI_WROKERS \(environment\)/);
    assert.match(variable.remedy, /Did you mean TUTTI_WORKERS\?/);
    const key = refused({ file: file({ learning_rate: 1 }) });
    assert.match(key.message, /learning_rate \(file tutti\.config\.json\)/);
    assert.match(key.remedy, /Did you mean learningRate\?/);
    assert.doesNotMatch(refused({ file: file({ zzzzzzzzzz: 1 }) }).remedy, /Did you mean/);
  });

  it('is not fooled by names that every object has', () => {
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      refused({ file: { path: 'f', values: JSON.parse(`{"${key}": {"workers": 3}}`) } });
    }
  });

  it('accepts the documented variables that are no settings, and foreign ones', () => {
    resolveSettings({ environment: { TUTTI_CACHE: '/c', TUTTI_TF_BACKEND: 'cpu', HOME: '/' } });
  });

  it('never accepts a number outside its range, and always one inside', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SETTING_NAMES),
        // No minus zero, which no text shows.
        fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -1, 1, 2 ** 53)).map((n) => n + 0),
        fc.constantFrom(...sourceKinds),
        (name, value, kind) => {
          const setting = settingOf(name);
          let possible: boolean;
          if (setting.kind === 'share') possible = value >= 0 && value <= 1;
          else if (setting.kind === 'number')
            possible = Number.isFinite(value) && value > setting.above;
          else if (setting.kind === 'integer')
            possible =
              Number.isSafeInteger(value) &&
              value >= setting.min &&
              value <= (setting.max ?? Number.MAX_SAFE_INTEGER);
          else return;
          const init = withPatience(name, initOf(name, { [kind]: value }));
          if (possible) assert.equal(resolveSettings(init).settings[name], value);
          else refused(init);
        },
      ),
    );
  });
});

describe('settings that contradict each other', () => {
  it('refuses more workers than shards, naming both and their sources', () => {
    const error = refused({
      flags: { workers: '9' },
      file: file({ shards: 8 }),
    });
    assert.match(error.message, /workers 9 \(flag --workers\)/);
    assert.match(error.message, /shards 8 \(file tutti\.config\.json\)/);
    assert.match(error.remedy, /at most 8/);
  });

  it('refuses a rank or a minimum that the workers do not reach', () => {
    refused({ environment: { RANK: '4', WORLD_SIZE: '4' } });
    resolveSettings({ environment: { RANK: '3', WORLD_SIZE: '4' } });
    refused({ flags: { workers: '2', minWorkers: '3' } });
  });

  it('refuses signs of life that come later than they are missed', () => {
    const { message } = refused({ flags: { heartbeatMs: '2000' } });
    assert.match(message, /heartbeatMs 2000 .* heartbeatDeadlineMs 2000/);
    resolveSettings({ flags: { heartbeatMs: '2000', heartbeatDeadlineMs: '9000' } });
  });

  it('refuses a silence that ZeroMQ cannot tell a peer of', () => {
    resolveSettings({ flags: { heartbeatDeadlineMs: '6553500' } });
    const { message } = refused({ flags: { heartbeatDeadlineMs: '6553600' } });
    assert.match(message, /heartbeatDeadlineMs .*6553500/);
  });

  it('refuses checks where the servers make the sums, naming both and their sources', () => {
    const aggregation = 'server';
    const checked = refused({ flags: { aggregation, verify: '0.1' } });
    assert.match(checked.message, /^aggregation server \(.+\) does not go with verify 0.1 \(/);
    resolveSettings({ flags: { aggregation, replicas: '1', verify: '0' } });
    resolveSettings({ flags: { aggregation: 'coordinator', replicas: '1', verify: '0.1' } });
  });

  it('refuses two places for the servers', () => {
    const { message } = refused({ flags: { servers: 'colocated', serverAddresses: 'a:1' } });
    assert.match(message, /^servers colocated .* does not go with serverAddresses tcp:\/\/a:1 /);
  });

  it('refuses more copies of the weights than there are workers to host them', () => {
    const { message, remedy } = refused({
      flags: { replicas: '2', workers: '2' },
      environment: { TUTTI_SERVERS: 'colocated' },
    });
    assert.match(message, /^workers 2 \(.+\) does not go with replicas 2 \(.+: each copy /);
    assert.match(remedy, /^Give at least 3 workers/);
    resolveSettings({ flags: { servers: 'colocated', replicas: '2', workers: '3' } });
    resolveSettings({ flags: { servers: 'colocated', replicas: '2' } });
    resolveSettings({ flags: { servers: 'colocated', verify: '0.1', workers: '0' } });
  });
});

describe('a number in place of which there may be a word', () => {
  const serversBy = (init: Parameters<typeof resolveSettings>[0]) =>
    resolveSettings(init).settings.servers;

  it('is either, from a flag, the environment and a file', () => {
    assert.equal(serversBy({}), undefined);
    for (const servers of [3, 'colocated']) {
      assert.equal(serversBy({ flags: { servers: String(servers) } }), servers);
      assert.equal(serversBy({ environment: { TUTTI_SERVERS: String(servers) } }), servers);
      assert.equal(serversBy({ file: { path: 'x.json', values: { servers } } }), servers);
    }
  });

  it('says what it may be, and which word was meant', () => {
    const { message, remedy } = refused({ flags: { servers: 'collocated' } });
    assert.match(message, /it must be a whole number from 1 to 256, or colocated\.$/);
    assert.equal(remedy, 'Did you mean colocated?');
    refused({ flags: { servers: '0' } });
  });
});

describe('the common variables of launchers', () => {
  it('map to coordinator, listen, rank and workers, below TUTTI_* of the same kind', () => {
    const environment = {
      MASTER_ADDR: 'node0.cluster',
      MASTER_PORT: '1234',
      RANK: '1',
      WORLD_SIZE: '4',
    };
    const { settings, sources } = resolveSettings({ environment });
    assert.equal(settings.coordinator, 'tcp://node0.cluster:1234');
    assert.equal(settings.listen, 'tcp://*:1234');
    assert.equal(settings.advertise, 'node0.cluster');
    assert.equal(settings.rank, 1);
    assert.equal(settings.workers, 4);
    assert.equal(sources.coordinator, 'environment MASTER_ADDR and MASTER_PORT');
    assert.equal(sources.workers, 'environment WORLD_SIZE');
    const both = resolveSettings({ environment: { ...environment, TUTTI_WORKERS: '2' } });
    assert.equal(both.settings.workers, 2);
    assert.equal(both.sources.workers, 'environment TUTTI_WORKERS');
  });

  it('name no machine that a worker runs on', () => {
    const environment = { MASTER_ADDR: 'node0.cluster', MASTER_PORT: '1234' };
    const of = (command: 'worker' | 'coordinator') =>
      resolveSettings({ environment, command }).settings.advertise;
    assert.deepEqual([of('coordinator'), of('worker')], ['node0.cluster', undefined]);
  });

  it('stay on this machine unless another one is named', () => {
    const local = resolveSettings({ environment: { MASTER_ADDR: '127.0.0.1' } });
    assert.equal(local.settings.listen, 'tcp://127.0.0.1:29500');
    const port = resolveSettings({ environment: { MASTER_PORT: '7000' } });
    assert.equal(port.settings.listen, 'tcp://127.0.0.1:7000');
    assert.equal(port.settings.coordinator, 'tcp://127.0.0.1:7000');
    const six = resolveSettings({ environment: { MASTER_ADDR: 'fe80::1' } });
    assert.equal(six.settings.coordinator, 'tcp://[fe80::1]:29500');
  });

  for (const [host, bracketed] of [
    ['fd00::1', '[fd00::1]'],
    ['[fd00::1]', '[fd00::1]'],
    ['fe80::1%eth0', '[fe80::1%eth0]'],
  ] as const)
    it(`take an address of IPv6 with brackets and without: ${host}`, () => {
      const { settings } = resolveSettings({ environment: { MASTER_ADDR: host } });
      const { coordinator, listen, advertise } = settings;
      assert.deepEqual(
        { coordinator, listen, advertise },
        {
          coordinator: `tcp://${bracketed}:29500`,
          listen: 'tcp://*:29500',
          advertise: bracketed,
        },
      );
      const flags = { advertise: host, coordinator: `${host}:7`, serverAddresses: `${host}:8` };
      const given = resolveSettings({ flags }).settings;
      assert.equal(given.advertise, bracketed);
      assert.equal(given.coordinator, `tcp://${bracketed}:7`);
      assert.deepEqual(given.serverAddresses, [`tcp://${bracketed}:8`]);
    });

  for (const host of ['::1', '[::1]'])
    it(`listen at ${host} where that is the address`, () => {
      const { settings } = resolveSettings({ environment: { MASTER_ADDR: host } });
      assert.equal(settings.coordinator, 'tcp://[::1]:29500');
      assert.equal(settings.listen, 'tcp://[::1]:29500');
    });

  it('advertise nothing that nobody can connect to', () => {
    for (const host of ['0.0.0.0', '::']) {
      const { settings } = resolveSettings({ environment: { MASTER_ADDR: host } });
      assert.equal(settings.advertise, undefined);
    }
    for (const host of ['*', '0.0.0.0', '[::]', 'head:29500', 'tcp://head', 'fd00::1::'])
      assert.match(
        refused({ flags: { advertise: host } }).message,
        /advertise \(flag --advertise\)/,
      );
  });

  it('are nothing to commands that are the whole job, even if they are left over and wrong', () => {
    const environment = { RANK: 'x', WORLD_SIZE: '99999', MASTER_ADDR: ':', MASTER_PORT: 'y' };
    for (const command of ['train', 'compress', 'eval', 'node', 'launch'] as const) {
      const { sources } = resolveSettings({ environment, command });
      for (const source of Object.values(sources)) assert.equal(source, 'default');
    }
  });

  it('are checked like all others', () => {
    assert.match(refused({ environment: { MASTER_PORT: '99999' } }).message, /MASTER_PORT/);
    assert.match(refused({ environment: { WORLD_SIZE: 'many' } }).message, /WORLD_SIZE/);
  });
});
