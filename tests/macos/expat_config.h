/* SPDX-License-Identifier: MIT */
/*
 * How expat is built for Macs. Our reader refuses every declaration, so that
 * neither document types nor entities of their own are needed.
 */
#define XML_GE 0
#define XML_CONTEXT_BYTES 0
#define BYTEORDER 1234
#define HAVE_ARC4RANDOM_BUF 1
