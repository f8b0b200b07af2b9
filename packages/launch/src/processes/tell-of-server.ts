import type { ServerEvent } from '@tutti/server';
import { replacedText } from '@tutti/server/internal';
import type { RunEvent } from '@tutti/telemetry';

const REMEDY = 'That waits for others: see what it says.';

/** What a run says of one of its servers, whose coordinator is there from the start. */
export function tellOfServer(
  name: string,
  emit: (event: RunEvent) => void,
): (event: ServerEvent) => void {
  return (event) => {
    if (event.event === 'waiting') emit({ ...event, by: name, remedy: REMEDY });
    else if (event.event === 'refused')
      emit({
        event: 'warning',
        code: 'REFUSED',
        message: `${name} refused ${event.peer}: ${event.reason}`,
        remedy: 'Check that only the processes of this run connect to it.',
      });
    else if (event.event === 'full')
      emit({
        event: 'warning',
        code: 'LIMIT',
        message: `Nobody else can connect to ${name} for now, and whoever tries waits. ${event.reason}`,
        remedy: event.remedy,
      });
    else if (event.event === 'replaced')
      emit({
        event: 'warning',
        code: 'PEER_LOST',
        message: replacedText(name, event),
        remedy: 'Nothing is lost; there is one standby less.',
      });
  };
}
