export { createServer, type ServerOptions } from './create-server.js';
export { problemCodes } from './problems/problems.controller.js';
