/**
 * node:http without its ES module face: an `import` reads every export, and the getters of WebSocket and its events then
 * load undici. Measured on Node 24: 70 of 110 ms of moorctl's CPU time beyond a bare node, and memory in the daemon.
 */
export const builtinHttp = process.getBuiltinModule('node:http');
