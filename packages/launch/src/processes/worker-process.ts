import { createMonitor, systemClock, type WaitReport } from '@tutti/runtime';
import { noticeEvent, type RunEvent } from '@tutti/telemetry';
import { openZmqTransport } from '@tutti/transport';
import { createWorker } from '@tutti/worker';
import type { LocalSettings } from '../local-settings.js';
import { loadProgram } from '../program/load-program.js';
import { telling } from '../program/telling.js';
import { LOOPBACK } from '../tunables.js';
import { programMain } from './child-main.js';
import { tellOfServer } from './tell-of-server.js';
import { joinTimeline } from './timeline.js';

export interface WorkerArgument {
  readonly program: string;
  readonly name: string;
  readonly settings: LocalSettings;
}

await programMain<WorkerArgument>(async (argument, signal, tell, onTerminate, coordinator) => {
  const { name, settings } = argument;
  const onWaiting = (report: WaitReport) =>
    tell({ type: 'event', event: { event: 'waiting', by: name, ...report } });
  const monitor = createMonitor({ clock: systemClock, signal, onWaiting });
  const { program, hash } = await loadProgram(argument.program, monitor);
  const emit = (event: RunEvent) => tell({ type: 'event', event });
  const timeline = await joinTimeline(settings, emit);
  // Unnamed wait: a small file of this machine.
  const sockets = await openZmqTransport(settings);
  const hosting = settings.servers === 'colocated' ? await import('./hosted-server.js') : undefined;
  // Unnamed wait: it opens a port of this machine.
  const hosted = await hosting?.hostServer({
    ...{ address: LOOPBACK, transport: sockets, settings },
    onEvent: tellOfServer(`the server of ${name}`, emit),
    timeline: timeline?.track(`server of ${name}`),
  });
  let left = false;
  const worker = createWorker({
    program: telling(program, { emit, onFrozen: (frozen) => tell({ type: 'frozen', frozen }) }),
    programHash: hash,
    coordinator,
    name,
    transport: hosted?.transport ?? sockets,
    server: hosted?.address,
    settings,
    signal,
    timeline: timeline?.track(name),
    onEvent(event) {
      if (event.event === 'waiting') onWaiting(event);
      if (event.event === 'noticed') emit(noticeEvent(event));
    },
  }).start();
  // Whoever ends one worker wants the others to go on. The launcher knows force, too.
  onTerminate(() => {
    left = true;
    void worker.leave();
  });
  try {
    // Unnamed wait: what it awaits names its own waits.
    await worker.result;
  } finally {
    // Unnamed wait: what it awaits names its own waits.
    await hosted?.end(left && !signal.aborted);
    timeline?.close();
  }
});
