[playlist]
NumberOfEntries=2
File1={{site}}/audio/playlist-3.ogg
Title1=Night jingle
Length1=1
File2={{site}}/radio/live
Title2=Radio Driftwood
Length2=-1
Version=2
