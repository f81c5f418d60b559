// SPDX-License-Identifier: Apache-2.0
// Seals and opens ETD datagrams (CONTRACT 2.1) with Node's crypto. One line in, one line out, all hexadecimal:
//   seal KEY DATAGRAM   the datagram, whose header says already that it is sealed, in plain: out comes it sealed
//   open KEY DATAGRAM   out come the plain records, or "refused"
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { createInterface } from 'node:readline';

const HEADER = 32, TAG = 16;

function parts(datagram) {
	const header = datagram.subarray(0, HEADER);
	return { header, nonce: header.subarray(12, 24), rest: datagram.subarray(HEADER) };
}

function seal(key, datagram) {
	const { header, nonce, rest } = parts(datagram);
	const cipher = createCipheriv('aes-128-gcm', key, nonce, { authTagLength: TAG });
	cipher.setAAD(header);
	return Buffer.concat([header, cipher.update(rest), cipher.final(), cipher.getAuthTag()]).toString('hex');
}

function open(key, datagram) {
	const { header, nonce, rest } = parts(datagram);
	const decipher = createDecipheriv('aes-128-gcm', key, nonce, { authTagLength: TAG });
	decipher.setAAD(header);
	decipher.setAuthTag(rest.subarray(rest.length - TAG));
	try {
		return Buffer.concat([decipher.update(rest.subarray(0, rest.length - TAG)), decipher.final()]).toString('hex');
	} catch {
		return 'refused';
	}
}

for await (const line of createInterface({ input: process.stdin })) {
	const [verb, key, datagram] = line.split(' ');
	process.stdout.write((verb === 'seal' ? seal : open)(Buffer.from(key, 'hex'), Buffer.from(datagram, 'hex')) + '\n');
}
