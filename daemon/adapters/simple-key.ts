/** Keys that goyaml reads as something else than text, or under which JavaScript keeps more than a value. */
export const oddKey = /^(?:null|true|false|yes|no|on|off|__proto__|constructor|prototype)$/i;

/** Leaves the reading of simple YAML from any depth: the text is for the `yaml` package. */
export class SimpleYamlRefusal extends Error {}
