const second = 1_000;

/**
 * A duration as kubectl's AGE column has it, coarser as it grows: 90s, 5m3s, 3h20m, 4d2h, 2y10d
 * (rules: k8s.io/apimachinery/pkg/util/duration, HumanDuration). A clock that is off by up to a second shows 0s.
 */
export function formatAge(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / second);
  if (Number.isNaN(seconds) || seconds < -1) return '<invalid>';
  if (seconds < 120) return `${Math.max(seconds, 0)}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return twoUnits(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return twoUnits(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  return formatDays(hours);
}

function formatDays(hours: number): string {
  const days = Math.trunc(hours / 24);
  if (days < 8) return twoUnits(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  return years < 8 ? twoUnits(years, 'y', days % 365, 'd') : `${years}y`;
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** The age of an RFC 3339 time; `<unknown>` when there is none, as kubectl says. */
export function ageOf(timestamp: string | undefined, nowMs: number): string {
  return timestamp === undefined || timestamp === '' ? '<unknown>' : formatAge(nowMs - Date.parse(timestamp));
}
