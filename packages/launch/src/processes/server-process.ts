import { createServer } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { openZmqTransport } from '@tutti/transport';
import type { LocalSettings } from '../local-settings.js';
import { childMain } from './child-main.js';
import { tellOfServer } from './tell-of-server.js';
import { joinTimeline } from './timeline.js';

export interface ServerArgument {
  readonly address: string;
  /** How this process is called in what it tells. */
  readonly name: string;
  readonly settings: LocalSettings;
}

await childMain<ServerArgument>(async (argument, signal, tell, onTerminate) => {
  const { address, name, settings } = argument;
  // Whoever ends all processes at once wants what is here to be saved first; the parent ends it then.
  onTerminate(() => {});
  // Unnamed wait: a small file of this machine.
  const transport = await openZmqTransport(settings);
  const emit = (event: RunEvent) => tell({ type: 'event', event });
  const onEvent = tellOfServer(name, emit);
  const file = await joinTimeline(settings, emit);
  const timeline = file?.track(name);
  const init = { address, transport, settings, signal, onEvent, timeline };
  // Unnamed wait: it opens a port of this machine.
  const server = await createServer(init).start();
  tell({ type: 'listening', addresses: server.addresses });
  try {
    // Unnamed wait: what it awaits names its own waits.
    await server.result;
  } finally {
    file?.close();
  }
});
