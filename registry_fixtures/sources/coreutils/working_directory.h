#ifndef WORKING_DIRECTORY_H
#define WORKING_DIRECTORY_H
/* Be where PWD says, if that is the directory that the program was started in. */
void enter_working_directory(void);
#endif
