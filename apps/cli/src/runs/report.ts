import { cpus } from 'node:os';
import { join } from 'node:path';
import { createEventLog } from '@tutti/run';
import { type Clock, toTuttiError, tuttiVersion } from '@tutti/runtime';
import type { Observer, Output } from '../output/output.js';
import { writeWhole } from '../output/write-whole.js';

const REPORT_FILE = 'report.html';

/** Keeps the events of a run in its folder, and at its end a report of it, also of what was before a resume. */
export function keepRun(
  { renderer, json }: Pick<Output, 'renderer' | 'json'>,
  clock: Clock,
): Observer {
  let recorded = true;
  const log = createEventLog((warning) => {
    recorded = false;
    renderer(warning);
  });
  let folder: string | undefined;
  let over = false;
  let dashboard: ReturnType<typeof loadDashboard> | undefined;
  return {
    listen(event) {
      log.listen(event);
      if (event.event === 'started') {
        ({ folder } = event);
        dashboard = loadDashboard();
        // Who writes the report says so.
        dashboard.catch(() => {});
      }
      over ||= event.event === 'finished' || (event.event === 'failed' && folder !== undefined);
    },
    async close() {
      // Unnamed wait: the caller races it.
      await log.close();
      if (folder === undefined || !over || !recorded) return;
      const path = join(folder, REPORT_FILE);
      try {
        // Unnamed wait: the caller races it.
        await writeReport(await dashboard!, folder, path, clock);
        if (!json) renderer.note(`report: ${path}`);
      } catch (thrown) {
        const remedy = 'Make room: `tutti dashboard` shows the run, too.';
        const why = toTuttiError(thrown, 'STORAGE', 'There is no report of the run', remedy);
        // No event: the last has told how the run ended.
        renderer.note(`${why.message}\n  ${why.remedy}`);
      }
    },
  };
}

/** Loaded while the first steps are computed: nobody waits for it then. */
const loadDashboard = () => import('@tutti/dashboard');

async function writeReport(
  { createRunHistory, readStoredEvents, reportHtml }: Awaited<ReturnType<typeof loadDashboard>>,
  folder: string,
  path: string,
  clock: Clock,
) {
  // Unnamed wait: the caller races it.
  const { events } = await readStoredEvents(folder);
  const history = createRunHistory({ clock });
  for (const event of events) history.event(event);
  history.complete();
  const [processor] = cpus();
  const machine = `${cpus().length} × ${processor?.model.trim() ?? process.arch}`;
  const text = reportHtml(history, { tutti: tuttiVersion(), node: process.version, machine });
  // Unnamed wait: the caller races it.
  await writeWhole(path, Buffer.from(text));
}
