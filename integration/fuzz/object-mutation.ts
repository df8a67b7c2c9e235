import { hostileTexts, hostileValues } from './hostile-values.ts';
import type { Random } from './random.ts';
import type { Tree } from './tree.ts';

interface Place {
  readonly parent: Record<string, unknown> | unknown[];
  readonly key: string | number;
}

/** Breaks one thing somewhere in a document: schema-aware, for it keeps all the rest as it is. */
export function breakObject(random: Random, document: Tree): void {
  const places = placesIn(document);
  const { parent, key } = random.pick(places.length === 0 ? [{ parent: document, key: 'kind' }] : places);
  const target = parent as Record<string | number, unknown>;
  switch (random.below(8)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete target[key];
      break;
    case 1:
    case 2:
      target[key] = random.pick(hostileTexts);
      break;
    case 3:
      target[key] = structuredClone(random.pick(hostileValues));
      break;
    case 4:
      // As an own key: what a parser makes of it is what is tried.
      if (Array.isArray(parent)) parent.push(structuredClone(parent[0]));
      else
        Object.defineProperty(parent, random.pick(hostileTexts), {
          value: random.pick(hostileTexts),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      break;
    case 5:
      target[key] = nested(random.below(150), random.chance(2));
      break;
    case 6:
      target[key] = Array.from({ length: random.below(300) }, (_, index) => ({ name: `n${index % 7}`, value: index }));
      break;
    default:
      target[key] = structuredClone(random.pick(places).parent);
  }
}

function nested(depth: number, isList: boolean): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; level += 1) value = isList ? [value] : { a: value };
  return value;
}

/** Every key of every mapping and index of every list. */
function placesIn(value: unknown, found: Place[] = []): readonly Place[] {
  if (typeof value !== 'object' || value === null) return found;
  const parent = value as Record<string, unknown> | unknown[];
  for (const key of Array.isArray(parent) ? parent.keys() : Object.keys(parent)) {
    found.push({ parent, key });
    placesIn((parent as Record<string | number, unknown>)[key], found);
  }
  return found;
}
