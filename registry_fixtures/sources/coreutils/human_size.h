/* Sizes for people: 1.5K, 23M. */
#ifndef HUMAN_SIZE_H
#define HUMAN_SIZE_H
/* Writes bytes in powers of base (1024, or 1000 with lower-case k), rounded up, as `ls -h` and `du -h` do. */
void human_size(unsigned long long bytes, unsigned base, char text[24]);
#endif
